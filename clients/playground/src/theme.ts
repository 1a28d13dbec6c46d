// Light, dark, or as the system has it. The choice stays in this browser.

import { Store } from './store';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'roomcast-playground:theme';
const THEMES: readonly string[] = ['system', 'light', 'dark'] satisfies Theme[];

export const theme = new Store<Theme>(kept());

export function setTheme(next: Theme): void {
  theme.set(next);
  localStorage.setItem(KEY, next);
  show(next);
}

function kept(): Theme {
  const value = localStorage.getItem(KEY);
  return value !== null && isTheme(value) ? value : 'system';
}

function isTheme(value: string): value is Theme {
  return THEMES.includes(value);
}

function show(now: Theme): void {
  document.documentElement.dataset['theme'] = now;
}

show(theme.read());

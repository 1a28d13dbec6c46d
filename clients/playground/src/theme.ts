// The theme: light, dark, or the theme of the operating system. The selection is saved in this browser.

import { Store } from './store';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'roomcast-playground:theme';
const THEMES: readonly string[] = ['system', 'light', 'dark'] satisfies Theme[];

export const theme = new Store<Theme>(savedTheme());

export function setTheme(next: Theme): void {
  theme.set(next);
  localStorage.setItem(KEY, next);
  apply(next);
}

function savedTheme(): Theme {
  const value = localStorage.getItem(KEY);
  return value !== null && isTheme(value) ? value : 'system';
}

function isTheme(value: string): value is Theme {
  return THEMES.includes(value);
}

function apply(current: Theme): void {
  document.documentElement.dataset['theme'] = current;
}

apply(theme.getSnapshot());

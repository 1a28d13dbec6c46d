import type { ReactNode } from 'react';

import { setTheme, theme, type Theme } from '../theme';
import { useStore } from '../use-store';
import { MoonIcon, SunIcon, SystemIcon } from './icons';

const THEMES: readonly [Theme, string, () => ReactNode][] = [
  ['light', 'Light', SunIcon],
  ['system', 'Same as the system', SystemIcon],
  ['dark', 'Dark', MoonIcon],
];

export function ThemePicker() {
  const current = useStore(theme);
  return (
    <fieldset className="themes">
      <legend className="visually-hidden">Theme</legend>
      {THEMES.map(([value, label, Icon]) => (
        <label key={value} title={label}>
          <input
            type="radio"
            name="theme"
            value={value}
            checked={current === value}
            onChange={() => setTheme(value)}
          />
          <Icon />
          <span className="visually-hidden">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

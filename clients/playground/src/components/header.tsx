// The top of the page: where one is, where this `dev` listens, and the theme.

import type { About } from '../backend/bridge';
import { go } from '../page-location';
import { useStore } from '../store';
import { setTheme, theme, type Theme } from '../theme';
import { MoonIcon, SunIcon, SystemIcon } from './icons';

interface HeaderProps {
  readonly session: string | undefined;
  readonly about: About | undefined;
}

export function Header({ session, about }: HeaderProps) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <a
          className="brand"
          href="/"
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            if (session !== undefined) go(undefined);
          }}
        >
          <Mark />
          <span className="brand-name">Roomcast</span>
          <span className="brand-sub">playground</span>
        </a>
        {about !== undefined && (
          <dl className="reach">
            <div>
              <dt>gRPC</dt>
              <dd>{about.grpcurl.address}</dd>
            </div>
            <div>
              <dt>Browsers</dt>
              <dd>{location.host}</dd>
            </div>
            <div>
              <dt>State</dt>
              <dd>{about.store === 'redis' ? 'in Redis' : 'in memory'}</dd>
            </div>
          </dl>
        )}
        <ThemePicker />
      </header>
    </>
  );
}

const THEMES: readonly [Theme, string, () => React.ReactNode][] = [
  ['light', 'Light', SunIcon],
  ['system', 'As the system', SystemIcon],
  ['dark', 'Dark', MoonIcon],
];

function ThemePicker() {
  const now = useStore(theme);
  return (
    <fieldset className="themes">
      <legend className="unseen">Theme</legend>
      {THEMES.map(([value, label, Icon]) => (
        <label key={value} title={label}>
          <input
            type="radio"
            name="theme"
            value={value}
            checked={now === value}
            onChange={() => setTheme(value)}
          />
          <Icon />
          <span className="unseen">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" />
      <path d="M9.5 22.5V16a6.5 6.5 0 0 1 13 0v6.5M16 22.5V17" />
      <circle cx="16" cy="16.4" r="2.3" />
    </svg>
  );
}

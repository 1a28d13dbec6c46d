// The top of the page: the brand, the addresses of this `roomcast dev`, and the theme.

import type { About } from '../backend/bridge';
import { navigate } from '../page-location';
import { ThemePicker } from './theme-picker';

interface HeaderProps {
  readonly session: string | undefined;
  readonly about: About | undefined;
}

export function Header({ session, about }: HeaderProps) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <a
          className="brand"
          href="/"
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            if (session !== undefined) navigate(undefined);
          }}
        >
          <Logo />
          <span className="brand-name">Roomcast</span>
          <span className="brand-sub">playground</span>
        </a>
        {about !== undefined && <Addresses about={about} />}
        <ThemePicker />
      </header>
    </>
  );
}

function Addresses({ about }: { readonly about: About }) {
  return (
    <dl className="addresses">
      <div>
        <dt>gRPC</dt>
        <dd>{about.grpcurl.address}</dd>
      </div>
      <div>
        <dt>Browsers</dt>
        <dd>{location.host}</dd>
      </div>
      <div>
        <dt>Store</dt>
        <dd>{about.store === 'redis' ? 'Redis' : 'memory'}</dd>
      </div>
    </dl>
  );
}

function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" />
      <path d="M9.5 22.5V16a6.5 6.5 0 0 1 13 0v6.5M16 22.5V17" />
      <circle cx="16" cy="16.4" r="2.3" />
    </svg>
  );
}

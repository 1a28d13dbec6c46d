// Seconds that are left, counted down on the page.

import { useEffect, useState } from 'react';

interface CountdownProps {
  readonly until: number;
  readonly before?: string;
  readonly after?: string;
}

export function Countdown({ until, before = '', after = 'a moment' }: CountdownProps) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const left = Math.ceil((until - now) / 1000);
  // Read out once, not every second.
  return <span aria-live="off">{left > 0 ? `${before}${left} s` : after}</span>;
}

// A countdown of the remaining seconds.

import { useEffect, useState } from 'react';

interface CountdownProps {
  // In milliseconds since the Unix epoch.
  readonly until: number;
  readonly prefix?: string;
  // The text after the end.
  readonly endText?: string;
}

export function Countdown({ until, prefix = '', endText = 'a moment' }: CountdownProps) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((until - now) / 1000);
  // Screen readers read the text once and not every second.
  return <span aria-live="off">{seconds > 0 ? `${prefix}${seconds} s` : endText}</span>;
}

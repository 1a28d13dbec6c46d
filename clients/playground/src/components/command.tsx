// A shell command with a button that copies it.

import { useEffect, useState } from 'react';

import { CheckIcon, CopyIcon } from './icons';

const SHOWN_MS = 1_600;

interface CommandProps {
  readonly text: string;
  // What the command does, for those who can't see where the button stands.
  readonly what: string;
}

export function Command({ text, what }: CommandProps) {
  return (
    <div className="command">
      <pre tabIndex={0} role="region" aria-label={`grpcurl command: ${what}`}>
        <code>{text}</code>
      </pre>
      <Copy text={text} what={what} />
    </div>
  );
}

function Copy({ text, what }: CommandProps) {
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready');
  useEffect(() => {
    if (state === 'ready') return;
    const timer = setTimeout(() => setState('ready'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    // Undefined where the page is not served from loopback or by HTTPS.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    written.then(
      () => setState('copied'),
      () => setState('refused'),
    );
  };
  return (
    <button
      type="button"
      className="button quiet small"
      onClick={copy}
      aria-label={`Copy the command: ${what}`}
    >
      {state === 'copied' ? <CheckIcon /> : <CopyIcon />}
      <span aria-live="polite">{{ ready: 'Copy', copied: 'Copied', refused: 'Select it' }[state]}</span>
    </button>
  );
}

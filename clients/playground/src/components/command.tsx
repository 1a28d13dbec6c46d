// A shell command with a button that copies it.

import { useEffect, useState } from 'react';

import { CheckIcon, CopyIcon } from './icons';

const LABEL_MS = 1_600;

interface CommandProps {
  readonly text: string;
  // What the command does, for screen readers.
  readonly description: string;
}

export function Command({ text, description }: CommandProps) {
  return (
    <div className="command">
      <pre tabIndex={0} role="region" aria-label={`grpcurl command: ${description}`}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} description={description} />
    </div>
  );
}

function CopyButton({ text, description }: CommandProps) {
  const [state, setState] = useState<'ready' | 'copied' | 'failed'>('ready');
  useEffect(() => {
    if (state === 'ready') return;
    const timer = setTimeout(() => setState('ready'), LABEL_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    // The clipboard is undefined unless the page is served from loopback or over HTTPS.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    written.then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  return (
    <button
      type="button"
      className="button quiet small"
      onClick={copy}
      aria-label={`Copy the command: ${description}`}
    >
      {state === 'copied' ? <CheckIcon /> : <CopyIcon />}
      <span aria-live="polite">{{ ready: 'Copy', copied: 'Copied', failed: 'Select it' }[state]}</span>
    </button>
  );
}

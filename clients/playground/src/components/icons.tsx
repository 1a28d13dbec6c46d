// Icons on a grid of 16, with strokes in the colour of the text. Each icon has a text beside it, or its button has a label.

import type { ReactNode } from 'react';

function icon(drawing: ReactNode) {
  return function Icon() {
    return (
      <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        {drawing}
      </svg>
    );
  };
}

export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.8" />
    <path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" />
  </>,
);
export const CheckIcon = icon(<path d="m3.5 8.5 3 3 6-7" />);
export const CrossIcon = icon(<path d="m4 4 8 8m0-8-8 8" />);
export const PlusIcon = icon(<path d="M8 3.5v9M3.5 8h9" />);
export const CutIcon = icon(<path d="M2 8h4m4 0h4M7.2 4.5l-1 2.2 3.6 2.6-1 2.2" />);
export const ClockIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M8 5v3.2l2 1.3" />
  </>,
);
export const SwapIcon = icon(<path d="M3 6h9.5M10 3.5 12.5 6 10 8.5M13 11.5H3.5M6 9l-2.5 2.5L6 14" />);
export const ReloadIcon = icon(<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5V5h-2.5" />);
export const ReplayIcon = icon(<path d="M3 8a5 5 0 1 0 1.6-3.7M3 2.5V5h2.5M8 5.5V8l1.8 1.2" />);
export const SunIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.5v1.4m0 10.2v1.4M1.5 8h1.4m10.2 0h1.4M3.4 3.4l1 1m7.2 7.2 1 1m0-9.2-1 1m-7.2 7.2-1 1" />
  </>,
);
export const MoonIcon = icon(<path d="M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6Z" />);
export const SystemIcon = icon(
  <>
    <rect x="2" y="3" width="12" height="8" rx="1.5" />
    <path d="M6 13.5h4" />
  </>,
);
export const SendIcon = icon(<path d="M3 8h9M8.5 4 12.5 8l-4 4" />);
export const PlayIcon = icon(<path d="M5 3.5v9l7.5-4.5Z" />);

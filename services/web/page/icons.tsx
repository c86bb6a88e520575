import type { ComponentChildren } from 'preact';

// Drawn on a grid of 24 with one line width; each takes the colour and the size of its text.

const icon = (drawing: ComponentChildren) => () => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    {drawing}
  </svg>
);

export const Today = icon(
  <>
    <rect x="4" y="5" width="16" height="15" rx="3" />
    <path d="M4 10h16M8.5 3v4M15.5 3v4" />
    <circle cx="12" cy="15" r="1.4" class="dot" />
  </>,
);
export const All = icon(<path d="M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01" />);
export const Upcoming = icon(<path d="M5 12h13M13 6.5l5.5 5.5L13 17.5" />);
export const Done = icon(
  <>
    <circle cx="12" cy="12" r="8" />
    <path d="M8.5 12.2l2.4 2.4 4.6-4.8" />
  </>,
);
export const Search = icon(
  <>
    <circle cx="11" cy="11" r="6" />
    <path d="M15.5 15.5L20 20" />
  </>,
);
export const Plus = icon(<path d="M12 5v14M5 12h14" />);
export const Repeat = icon(
  <path d="M17 3.5l3 3-3 3M4 12v-1.5a4 4 0 0 1 4-4h12M7 20.5l-3-3 3-3M20 12v1.5a4 4 0 0 1-4 4H4" />,
);
export const Bell = icon(<path d="M6 10a6 6 0 0 1 12 0c0 5 2 6.5 2 6.5H4S6 15 6 10ZM10 20a2.2 2.2 0 0 0 4 0" />);
export const Ring = icon(
  <>
    <circle cx="12" cy="13" r="7" />
    <path d="M12 9.5V13l2.5 1.5M5 3.5L2.5 6M19 3.5L21.5 6" />
  </>,
);
export const Flag = icon(<path d="M6 21V4M6 4.5c4-2 7 2 12 0v9c-5 2-8-2-12 0" />);
export const Clock = icon(
  <>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.5V12l3 2" />
  </>,
);
export const Settings = icon(
  <>
    <circle cx="12" cy="12" r="3" />
    <path d="M12 4v2.5M12 17.5V20M4 12h2.5M17.5 12H20M6.3 6.3l1.8 1.8M15.9 15.9l1.8 1.8M6.3 17.7l1.8-1.8M15.9 8.1l1.8-1.8" />
  </>,
);
export const Close = icon(<path d="M6.5 6.5l11 11M17.5 6.5l-11 11" />);
export const More = icon(<path d="M6 12h.01M12 12h.01M18 12h.01" class="dots" />);
export const Leave = icon(<path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9" />);
export const Eye = icon(
  <>
    <path d="M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6Z" />
    <circle cx="12" cy="12" r="2.5" />
  </>,
);
export const Wait = icon(<path d="M7 4h10M7 20h10M8 4c0 5 8 6 8 8s-8 3-8 8M16 4c0 5-8 6-8 8s8 3 8 8" />);
export const Trail = icon(<path d="M7 4h10v16H7zM10 8.5h4M10 12h4M10 15.5h4" />);
export const Pulse = icon(<path d="M3.5 12H8l2.5-6 3.5 12 2.5-6h4" />);
export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M9 16.5l4.6 4.6L23.5 11" />
  </svg>
);

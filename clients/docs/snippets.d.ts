// What snippets of the docs take as given.

/** The user's token. */
declare const token: string;
declare const userToken: string;
/** Asks the application's own backend for one. */
declare function freshToken(): Promise<string>;

/** Components of the reader's. */
declare const Interview: import('react').FC<{ id: string }>;
declare const FeedbackForm: import('react').FC<{ onSent: () => void }>;
declare const useEffect: typeof import('react').useEffect;
declare const socket: import('@roomcast/core').RoomcastSocket | null;

/** As Vite has it. */
interface ImportMeta {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The files of an application, as its own old imports name them. */
declare module '../hooks/useSocket';
declare module './contexts/SocketContext';

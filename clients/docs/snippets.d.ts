// The declarations that the snippets of the docs require.

/** The user's token. */
declare const token: string;
declare const userToken: string;
/** Requests a token from the application's backend. */
declare function freshToken(): Promise<string>;

/** Components of the application. */
declare const Interview: import('react').FC<{ id: string }>;
declare const FeedbackForm: import('react').FC<{ onSent: () => void }>;
declare const useEffect: typeof import('react').useEffect;
declare const socket: import('@roomcast/core').RoomcastSocket | null;

/** As declared by Vite. */
interface ImportMeta {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The files that the application's existing imports name. */
declare module '../hooks/useSocket';
declare module './contexts/SocketContext';

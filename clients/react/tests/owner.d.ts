// The exports that `owner-examples.ts` adds to the product owner's files, which are plain JavaScript.

declare module '*/owner/App.jsx' {
  export function App(): import('react').ReactElement;
}

declare module '*/owner/components/MyComponent.jsx' {
  export function MyComponent(): import('react').ReactElement;
}

declare module '*/owner/components/debugging.js' {
  export function Debugging(): null;
}

declare module '*/owner/contexts/SocketContext.js' {
  export { SocketContext, SocketProvider } from '@roomcast/react';
}

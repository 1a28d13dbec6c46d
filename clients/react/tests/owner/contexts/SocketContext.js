export { SocketContext, SocketProvider } from '@roomcast/react';

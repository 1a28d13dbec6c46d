export { useSocket } from '@roomcast/react';

export { Backend } from './backend.js';
export { chromiumPath } from './chromium-path.js';
export { RoomcastProcess } from './roomcast-process.js';
export { RedisProcess } from './redis-process.js';
export { DEV_SECRET, devToken } from './dev-token.js';

export { Backend } from './backend.js';
export { chromiumPath } from './chromium.js';
export { RoomcastProcess } from './process.js';
export { RedisProcess } from './redis.js';
export { DEV_SECRET, devToken } from './token.js';

import { afterAll, beforeAll } from 'vitest';

import { Backend } from './backend.js';
import { RoomcastProcess } from './roomcast-process.js';

/** The `roomcast dev` of a file of tests that imports it, from before its first one until after its last one. */
export let dev: RoomcastProcess;
/** A backend of it. */
export let backend: Backend;

beforeAll(async () => {
  dev = await RoomcastProcess.dev();
  backend = Backend.of(dev);
});

afterAll(async () => {
  backend.close();
  await dev.stop();
});

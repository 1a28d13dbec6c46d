import { afterAll, beforeAll } from 'vitest';

import { Backend } from './backend.js';
import { RoomcastProcess } from './roomcast-process.js';

/** A `roomcast dev` that runs during all tests of the file that imports it. */
export let dev: RoomcastProcess;
/** A backend that calls it. */
export let backend: Backend;

beforeAll(async () => {
  dev = await RoomcastProcess.dev();
  backend = Backend.of(dev);
});

afterAll(async () => {
  backend.close();
  await dev.stop();
});

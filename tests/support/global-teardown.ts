// Ends the server of the run and removes its folder.
import { removeFolder } from './folders.ts';

export default async function globalTeardown(): Promise<void> {
  const started = globalThis.storytimeTestServer;
  if (!started) return;
  await started.server.stop();
  await removeFolder(started.folder);
}

// The parent of a process that was forked with an IPC channel: when the channel closes, however the parent died, it is gone.
// Node tells that once. A parent that dies while its child still loads its modules is gone before anybody can listen, so
// whoever listens is also told of what has been.

/** Whether this process was forked, and whoever forked it is gone. */
export function parentIsGone(): boolean {
  // False is a channel that has closed; a process that was not forked has none, and no word for it.
  return (process.connected as boolean | undefined) === false;
}

/** Calls `listener` when the parent is gone, soon if it is already; never in a process without a channel. */
export function onParentGone(listener: () => void): void {
  if (parentIsGone()) queueMicrotask(listener);
  else process.once('disconnect', listener);
}

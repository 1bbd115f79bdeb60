// Asks HTTP questions from where it was started, for kit/namespace.ts: each message is an address, each reply { status, body },
// with status 0 when nobody answers within 3 s. Ends with its parent.
process.on('disconnect', () => process.exit());
process.on('message', (url) => {
  void ask(url).then((answer) => process.send(answer));
});

async function ask(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    return { status: answer.status, body: await answer.text() };
  } catch {
    return { status: 0, body: '' };
  }
}

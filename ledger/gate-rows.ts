// What a gate's row is called. Older builds know one gate of Gemini, and call its row `gemini`. That row goes on as the gate
// of the model that writes: what an older build closes stays closed there, and what is closed there stops the older build.

const legacy = { name: 'gemini-text', row: 'gemini' };

export function rowOf(gate: string): string {
  return gate === legacy.name ? legacy.row : gate;
}

/** The gate's name, of the row's. */
export function gateOf(row: string): string {
  return row === legacy.row ? legacy.name : row;
}

// The fetch that is handed to the SDKs: theirs hide the headers of an answer, and headers say when to come back and what it cost.

export interface WatchedFetch {
  fetch: typeof fetch;
  /** The headers of the last answer, whatever its status. */
  headers: () => Headers | undefined;
}

/** One per call. `onAccepted` is told of a 2xx before its body is read: from here on the call is paid. */
export function watchedFetch(onAccepted?: (headers: Headers) => void): WatchedFetch {
  let last: Headers | undefined;
  return {
    async fetch(input, init) {
      last = undefined;
      const response = await fetch(input, init);
      last = response.headers;
      if (response.ok) onAccepted?.(response.headers);
      return response;
    },
    headers: () => last,
  };
}

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

/**
 * A fetch that never rejects: what went wrong comes out when the body is read. For the SDKs of ElevenLabs and Deepgram,
 * which forget their own timeout's timer when fetch rejects, so that every failed call would keep the process for minutes.
 */
export function lateErrors(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    try {
      return await inner(input, init);
    } catch (error) {
      const body = new ReadableStream({
        start(controller) {
          controller.error(error);
        },
      });
      return new Response(body);
    }
  };
}

// What can go wrong for a caller of the API. Nothing here depends on the rest of the project.

/** One thing wrong with a request: a JSON Pointer into its body, a code, a sentence. */
export interface FieldError {
  pointer: string;
  code: string;
  message: string;
}

/** The API's answer was a problem (RFC 9457); `status` 0 means that there was no answer at all. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  /** For the operators: the id under which they find this request. */
  readonly requestId: string | undefined;

  constructor(problem: ProblemFacts, options?: ErrorOptions) {
    super(problem.detail, options);
    this.status = problem.status;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
    this.requestId = problem.instance;
  }
}

export interface ProblemFacts {
  status: number;
  code: string;
  detail: string;
  errors?: readonly FieldError[] | undefined;
  instance?: string | undefined;
}

/** The job ended without a result: dead, cancelled or expired. */
export class JobDead extends Error {
  override readonly name = 'JobDead';
  readonly jobId: string;
  readonly state: string;
  /** The code of the last failure, when it failed. */
  readonly code: string | undefined;

  constructor(job: { id: string; state: string; error: { code: string; message: string } | null }) {
    const why = job.error === null ? '' : `: ${job.error.code}, ${job.error.message}`;
    super(`job ${job.id} is ${job.state}${why}`);
    this.jobId = job.id;
    this.state = job.state;
    this.code = job.error?.code;
  }
}

/** The job had not ended when the caller's patience had; it goes on. */
export class JobTimeout extends Error {
  override readonly name = 'JobTimeout';
  readonly jobId: string;

  constructor(jobId: string, timeoutMs: number) {
    super(`job ${jobId} has not ended within ${timeoutMs} ms; it goes on, wait again or look later`);
    this.jobId = jobId;
  }
}

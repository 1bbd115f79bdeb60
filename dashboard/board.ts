// Bull Board, to look at and nothing else: every queue read-only, only its GET routes exist, its page asks nobody outside.
// While the engine is away it says so on a page of ours; the rest of the dashboard does not notice.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { AppControllerRoute, AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import type { Express, Request, RequestHandler, Response } from 'express';
import { Problem } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import type { Broker } from '../engine/types.ts';
import { problemOf, sendProblem, wantsPage } from './answers.ts';
import { createSlots, type Slots } from './slots.ts';

export interface BoardOptions {
  broker: Broker;
  /** Shown as a banner: `production` is red. */
  environment: string;
  emit: Emit;
}

const limits: Readonly<Record<string, number>> = { jobsPerPage: 100, page: 1_000 };

/** Bull Board's adapter with what it lacks: a deadline and few slots for reads, and a page without outside links. */
class ReadingAdapter extends ExpressAdapter {
  readonly slots: Slots;

  constructor(slots: Slots) {
    super();
    this.slots = slots;
    this.app.disable('x-powered-by');
  }

  override setApiRoutes(routes: AppControllerRoute[]): this {
    const reading = routes
      .filter(({ method }) => method === 'get')
      .map((route) => ({
        ...route,
        handler: (request: Parameters<typeof route.handler>[0]) =>
          this.slots(async () => route.handler(request)),
      }));
    super.setApiRoutes(reading);
    return this;
  }

  override setEntryRoute(route: AppViewRoute): this {
    this.app.get(route.route, (_request: Request, response: Response, next) => {
      const { name, params } = route.handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, html: string) => {
        if (error) next(error);
        else response.type('html').send(withoutOutsideLinks(html));
      });
    });
    return this;
  }
}

/** Its page asks Google for fonts: the policy would block it, and the console would complain on every page. */
function withoutOutsideLinks(html: string): string {
  return html.replaceAll(/<link\b[^>]*\bhref="https?:[^>]*>\s*/gi, '');
}

function busy(): Problem {
  return new Problem(
    'engine_unavailable',
    'reading the engine took too long; ask for fewer jobs or try again',
    {
      retryAfterSeconds: 5,
    },
  );
}

const unavailable: number = 503;

function failedRead(error: Error, emit: Emit): ReturnType<Parameters<ExpressAdapter['setErrorHandler']>[0]> {
  if (error instanceof URIError)
    return { status: 400, body: { error: 'ERRORS.BAD_REQUEST', message: 'the address cannot be read' } };
  return {
    // Bull Board's types know no 503; what reads its answer, and a proxy before it, does.
    status: unavailable as 500,
    body: { error: 'ERRORS.INTERNAL_SERVER_ERROR', message: messageOf(error, emit) },
  };
}

/** For the reader; the log has the reason. */
function messageOf(error: Error, emit: Emit): string {
  if (error instanceof Problem) return error.message;
  emit('notice', { level: 'warn', message: `the board could not be read: ${error.message}` });
  return 'the board could not be read: the engine does not answer as it should; jobs are safe in the ledger';
}

async function buildBoard({ broker, environment, emit }: BoardOptions): Promise<Express> {
  const adapter = new ReadingAdapter(createSlots({ atOnce: 2, deadlineMs: 2_000, late: busy }));
  adapter.setBasePath('/board');
  const queues = (await broker.boardQueues()).map(
    (queue) => new BullMQAdapter(queue, { readOnlyMode: true }),
  );
  createBullBoard({
    queues,
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Storytime Jobs',
        miscLinks: [{ text: 'Operations', url: '/ops' }],
        hideDocsLink: true,
        hideRedisDetails: true,
        showWorkers: false,
        pollingInterval: { showSetting: false, forceInterval: 10 },
        environment: {
          label: environment,
          color: environment === 'production' ? '#b3261e' : '#2f6f4f',
          textColor: '#fff',
        },
      },
    },
  });
  adapter.setErrorHandler((error) => failedRead(error, emit));
  return adapter.getRouter() as Express;
}

/** Everything below /board; mount it behind the gate. */
export function boardRoutes(options: BoardOptions): RequestHandler {
  let board: Express | undefined;
  buildBoard(options).then(
    (built) => (board = built),
    () => undefined, // closed before the engine ever answered
  );
  return async (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      sendProblem(request, response, problemOf('method_not_allowed', 'the board is read-only'));
      return;
    }
    if (board === undefined || (wantsPage(request) && !(await answers(options.broker)))) {
      sendProblem(request, response, away());
      return;
    }
    request.url = clamped(request.url);
    board(request, response, next);
  };
}

function away(): Problem {
  const message =
    'The engine cannot be reached. Jobs are accepted and kept in the ledger meanwhile; this page tries again by itself.';
  return new Problem('engine_unavailable', message, { retryAfterSeconds: 5 });
}

async function answers(broker: Broker): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), 2_000);
  });
  const asked = broker.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

/** A page of 100,000 jobs took 51 s and 800 MB; nobody reads one. */
function clamped(url: string): string {
  const [path = '/', query] = url.split('?', 2);
  if (query === undefined) return url;
  const parameters = new URLSearchParams(query);
  for (const [name, limit] of Object.entries(limits)) {
    const value = parameters.get(name);
    if (value !== null)
      parameters.set(name, String(Math.min(Math.max(1, Math.trunc(Number(value)) || 1), limit)));
  }
  return `${path}?${parameters.toString()}`;
}

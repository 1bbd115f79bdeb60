// `storytime api` and `storytime work` with the kinds of the fault rows: the same composition as in production, run as a
// process of its own (`node dist/tests/faults/programs/part.js api|work`).
import { environment } from '../../../shared/config.ts';
import { endingOf } from '../../../cli/exit.ts';
import { runApi } from '../../../cli/api.ts';
import { runWork } from '../../../cli/work.ts';
import { faultWorkers } from './handlers.ts';
import { faultRegistry } from './kinds.ts';

const env = environment();
const [part, lane] = process.argv.slice(2);
process.exit(await (part === 'api' ? runApi(env, faultRegistry) : startWork()).catch(ending));

/** As the command line ends. */
function ending(thrown: unknown): number {
  const { code, message = '' } = endingOf(thrown);
  process.stderr.write(`✗ ${message}\n`);
  return code;
}

function startWork(): Promise<number> {
  const workers = faultWorkers(env['FAULTS_BILL_URL'] ?? '');
  return runWork(env, lane === '--lane' ? { lane: true } : {}, { registry: faultRegistry, workers });
}

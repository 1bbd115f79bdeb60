// Reports: the job's own tenant over a period, read in pages and written in parts, so that memory stays flat, with a signed link.
import type { Db } from '../ledger/db.ts';
import { chargePages, jobPages, type Period } from '../ledger/report-pages.ts';
import { saveReport } from '../ledger/reports.ts';
import { reportDays, reports } from '../queues/reports.ts';
import { defineWorker } from './define.ts';
import { writeCsv } from './reporting/csv.ts';
import { costColumns, costRows, usageColumns, usageRows, type Row } from './reporting/tables.ts';

export const reportsWorker = defineWorker(reports, {
  async 'generate-report'(job, { db, artifactLink }) {
    const { report, from, to, format, notify } = job.payload;
    const period = { tenant: job.tenant, from: new Date(from), to: new Date(to) };
    job.progress(5, `reading the ${report}`);
    const file = await job.step(
      'write',
      async (_call, keep) => ({
        ...(await writeCsv(...tables[report](db, period, job.signal), { keep, signal: job.signal })),
        contentType: 'text/csv; charset=utf-8',
      }),
      {
        save: (tx, { rows, bytes: { artifactId } }) =>
          saveReport(tx, {
            ...period,
            jobId: job.id,
            report,
            rows,
            artifactId,
            fileName: fileName(job.payload),
          }),
      },
    );
    const { rows, bytes } = file;
    const link = await artifactLink(bytes.artifactId, reportDays);
    if (notify !== undefined) {
      const variables = { report: `${report} (${format})`, from, to, rows, link };
      job.enqueue('send-email', { template: 'report-ready', to: notify, variables });
    }
    return { artifactId: bytes.artifactId, rows, bytes: bytes.size, link };
  },
});

type Table = (
  db: Db,
  period: Period,
  signal: AbortSignal,
) => [columns: readonly string[], rows: AsyncIterable<Row>];

const tables: Readonly<Record<'usage' | 'costs', Table>> = {
  usage: (db, period, signal) => [usageColumns, usageRows(jobPages(db, period, signal))],
  costs: (db, period) => [costColumns, costRows(chargePages(db, period))],
};

interface Wish {
  report: string;
  from: string;
  to: string;
  format: string;
}

/** `usage-2026-11-01-to-2026-12-01.csv`; the moments were checked, so nothing else can be in the name. */
function fileName({ report, from, to, format }: Wish): string {
  return `${report}-${dayOf(from)}-to-${dayOf(to)}.${format}`;
}

function dayOf(moment: string): string {
  return new Date(moment).toISOString().slice(0, 10);
}

// Finished reports: the row, and the name and lifetime of its file. Written in the transaction of the step that wrote it.
import { reportDays } from '../queues/reports.ts';
import type { Tx } from './db.ts';

export interface NewReport {
  /** Of the report and of its job. */
  jobId: string;
  tenant: string;
  report: string;
  from: Date;
  to: Date;
  /** Lines of data in the file. */
  rows: number;
  artifactId: string;
  fileName: string;
}

/** The file is kept for as long as its links promise. */
export async function saveReport(tx: Tx, report: NewReport): Promise<void> {
  const { jobId, artifactId, fileName, from: periodFrom, to: periodTo, ...row } = report;
  await tx.report.create({
    data: { ...row, id: jobId, jobId, artifactId, periodFrom, periodTo },
    select: { id: true },
  });
  await tx.$executeRaw`
    UPDATE artifact SET file_name = ${fileName}, expires_at = clock_timestamp() + ${reportDays}::int * interval '1 day' WHERE id = ${artifactId}::uuid`;
}

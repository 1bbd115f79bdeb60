// Mails that a server accepted.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { saveMail } from '../../ledger/mail.ts';
import { openLedger, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(async () => {
  await world.close();
});

test('a mail is kept with what the server said, even when that cannot be stored as it is', async () => {
  const jobId = newId();
  const mail = {
    jobId,
    tenant: 'acme',
    template: 'welcome',
    recipient: 'a@b.test',
    messageId: `${jobId}.send@x`,
  };
  await world.db.prisma.$transaction((tx) =>
    saveMail(tx, { ...mail, response: `250 \u0000${'x'.repeat(900)}` }),
  );
  const row = await world.db.prisma.outboundMail.findUniqueOrThrow({ where: { jobId } });
  expect(row).toMatchObject(mail);
  expect(row.response).toHaveLength(500);
});

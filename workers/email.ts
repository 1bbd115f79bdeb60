// Mail: rendered from a fixed template and handed to the server once. Its message id follows from the job, so when an
// attempt ended without knowing whether the server had taken it, a receiver can drop the second copy.
import { saveMail } from '../ledger/mail.ts';
import { email } from '../queues/email.ts';
import { defineWorker } from './define.ts';
import { renderMail } from './mail/layout.ts';
import { contentOf } from './mail/templates.ts';

export const emailWorker = defineWorker(email, {
  async 'send-email'(job, { smtp }) {
    const { to, template } = job.payload;
    const mail = renderMail(contentOf(job.payload));
    job.progress(20, `sending ${template}`);
    const { messageId, response } = await job.step(
      'send',
      (call) => smtp.send({ ...mail, to, messageId: `${job.id}.send@mail.storytime.example` }, call),
      {
        save: (tx, sent) =>
          saveMail(tx, { jobId: job.id, tenant: job.tenant, template, recipient: to, ...sent }),
      },
    );
    return { messageId, response };
  },
});

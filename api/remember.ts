// For api/routes/providers.ts, until it asks shared/ itself.
export { remember } from '../shared/remember.ts';

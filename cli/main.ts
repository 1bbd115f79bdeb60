#!/usr/bin/env node
// The process entry of everything: `storytime <noun> <verb>`. All else is loaded when Node is known to be able to read it.
import { requireNode } from '../scripts/node-version.mjs';

requireNode();
await (await import('./start.ts')).runProcess();

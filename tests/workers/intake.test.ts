import { expect, test } from '@jest/globals';
import type { Events } from '../../shared/events.ts';
import type { Consumer } from '../../engine/types.ts';
import { createIntake, type Intake } from '../../workers/intake.ts';

interface World {
  intake: Intake;
  told: Events['intake.changed'][];
  /** What the consumer was told, in order. */
  did: string[];
  consumer: Consumer;
}

function open(): World {
  const told: Events['intake.changed'][] = [];
  const did: string[] = [];
  const intake = createIntake((name, event) => {
    if (name === 'intake.changed') told.push(event as Events['intake.changed']);
  });
  const consumer = {
    queue: 'play',
    hold: () => void did.push('hold'),
    take: () => void did.push('take'),
    rebuild: () => undefined,
    pause: () => Promise.resolve(),
    close: () => Promise.resolve(),
    freeSlots: 1,
    quietMs: 0,
  };
  return { intake, told, did, consumer };
}

test('jobs are taken again when the last reason is gone, and each reason is told once', () => {
  const { intake, told, did, consumer } = open();
  intake.add(consumer);
  intake.hold('clock', 'ten seconds ahead');
  intake.hold('clock', 'eleven seconds ahead');
  intake.hold('event_loop', 'stood still');
  expect(intake.held()).toEqual(['clock', 'event_loop']);
  intake.release('clock');
  expect(did).toEqual(['take', 'hold']);
  intake.release('event_loop');
  intake.release('event_loop');
  expect(did).toEqual(['take', 'hold', 'take']);
  expect(told.map(({ reason, held }) => [reason, held])).toEqual([
    ['clock', true],
    ['event_loop', true],
    ['clock', false],
    ['event_loop', false],
  ]);
});

test('a consumer that comes while nothing may be taken waits, and a process that stops takes nothing again', () => {
  const { intake, did, consumer } = open();
  intake.hold('clock', 'unknown yet');
  intake.add(consumer);
  expect(did).toEqual(['hold']);
  intake.end();
  intake.release('clock');
  expect(did).toEqual(['hold', 'hold']);
});

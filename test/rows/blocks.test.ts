import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { freeMemory, giveBlock, takeBlock } from '../../src/rows/blocks.ts';

test('a block that was given back is handed out again', () => {
  const block = takeBlock(1024 * 1024);
  assert.ok(block.length >= 1024 * 1024);
  giveBlock(block);
  assert.equal(takeBlock(1024 * 1024), block);
});

test('what a cipher returned is empty when its memory was freed', () => {
  const bytes = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12)).update(randomBytes(128 * 1024));
  assert.equal(bytes.length, 128 * 1024);
  freeMemory(bytes);
  assert.equal(bytes.length, 0);
});

test('memory that others look at is not freed', () => {
  const whole = Buffer.alloc(1000, 'x');
  freeMemory(whole.subarray(10));
  const small = Buffer.from('a piece of the memory that Node shares');
  freeMemory(small);
  assert.equal(whole.toString(), 'x'.repeat(1000));
  assert.equal(small.toString(), 'a piece of the memory that Node shares');
});

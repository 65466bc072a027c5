/*
 * Memory for batches that is used again and again. What lies outside V8's heap is freed only when the whole heap is
 * collected, and at hundreds of megabytes a second those collections would cost more than the work itself.
 */

/** A batch of 128 KiB, one of 1 MiB, each with room for the row or chunk that completes it. */
const sizes = [160 * 1024, 1280 * 1024];
/** Bytes of idle blocks that are kept of each size. */
const mostIdle = 24 * 1024 * 1024;

const idle = new Map<number, Buffer[]>(sizes.map((size) => [size, []]));

/** Memory of at least `bytes` bytes, of any content. */
export function takeBlock(bytes: number): Buffer {
  const size = sizes.find((one) => bytes <= one) ?? bytes;
  return idle.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
}

/** Gives back what `takeBlock` returned, once nobody looks at it any more. What is larger than a block is left to V8. */
export function giveBlock(block: Buffer): void {
  const blocks = idle.get(block.length);
  if (blocks && (blocks.length + 1) * block.length <= mostIdle) blocks.push(block);
}

/**
 * Frees the memory of `buffer`, which is empty from then on: at once, where the collector would come late and every piece of memory
 * would be new. For a Buffer that has its memory for itself, as Node's ciphers and decompressors return them, the latter with a byte behind
 * it; memory that is shared stays as it is.
 */
export function freeMemory({ buffer, byteOffset, length }: Buffer): void {
  const isAlone = byteOffset === 0 && buffer.byteLength - length <= 1;
  if (length > 1 && isAlone) (buffer as ArrayBuffer).transfer(0);
}

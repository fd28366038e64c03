/**
 * Items in the order in which they came, bounded by count and by size: the oldest go first. Each has a number, counting
 * from 0 since the ring was made, by which it is found as long as it is held.
 */
export class Ring<T> {
  readonly #limit: number;
  readonly #sizeLimit: number;
  #items: T[] = [];
  #sizes: number[] = [];
  #first = 0;
  #next = 0;
  #size = 0;

  /**
   * @param limit items, at least 1
   * @param sizeLimit the sum of the sizes that `push` is told; the newest item stays even where it alone is over it
   */
  constructor(limit: number, sizeLimit: number = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.#sizeLimit = sizeLimit;
  }

  /** The number of the oldest item that is held. */
  get first(): number {
    return this.#first;
  }

  /** One more than the number of the newest. */
  get next(): number {
    return this.#next;
  }

  get length(): number {
    return this.#next - this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** @param gone is told each item that had to go for this one */
  push(item: T, size: number, gone?: (item: T) => void): void {
    while (this.length > 0 && (this.length >= this.#limit || this.#size + size > this.#sizeLimit)) this.#drop(gone);
    const at = this.#next % this.#limit;
    this.#items[at] = item;
    this.#sizes[at] = size;
    this.#size += size;
    this.#next += 1;
  }

  at(number: number): T | undefined {
    return number >= this.#first && number < this.#next ? this.#items[number % this.#limit] : undefined;
  }

  last(): T | undefined {
    return this.at(this.#next - 1);
  }

  /** The numbers go on, so that nobody mistakes a new item for an old one. */
  clear(): void {
    this.#items = [];
    this.#sizes = [];
    this.#size = 0;
    // A place in the array belongs to one number alone, also where the numbers do not begin at 0.
    this.#first = this.#next;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let number = this.#first; number < this.#next; number += 1) yield this.#items[number % this.#limit] as T;
  }

  /** From the newest to the oldest. */
  *backwards(): Generator<T> {
    for (let number = this.#next - 1; number >= this.#first; number -= 1) yield this.#items[number % this.#limit] as T;
  }

  #drop(gone?: (item: T) => void): void {
    const at = this.#first % this.#limit;
    const item = this.#items[at] as T;
    this.#size -= this.#sizes[at] ?? 0;
    this.#first += 1;
    // What is gone is not to be kept alive by the place that it had.
    delete this.#items[at];
    gone?.(item);
  }
}

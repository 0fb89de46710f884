/** What `goodness.wasm` exports: the firmware core behind the port in firmware/ports/wasm. Pointers are byte offsets in its memory. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  /** First free byte of the memory. */
  heap_base(): number;
  /** Memory that one link takes for requests and answers of such payloads. */
  port_link_bytes(maxRequest: number, maxAnswer: number): number;
  port_init(
    flash: number,
    slotBytes: number,
    pageBytes: number,
    arena: number,
    arenaBytes: number,
    links: number,
    linkBytes: number,
    maxRequest: number,
    maxAnswer: number,
    window: number,
    ahead: number,
  ): number;
  port_boot(): number;
  port_feed(link: number, from: number, count: number): number;
  port_step(): number;
  port_take(link: number, to: number, most: number): number;
  port_model(image: number, bytes: number): number;
  port_arena_used(): number;
  port_infer(x: number, label: number, result: number): number;
  port_learn(x: number, label: number, result: number): number;
  port_infer_many(xs: number, labels: number, count: number, results: number): number;
  port_learn_many(xs: number, labels: number, count: number, results: number): number;
  port_trace(x: number, layer: number, activities: number): number;
  port_scores(): number;
  /** What the layers above get of the sample that was passed last (SPEC.md 9.6); 0 bytes if there are none. */
  port_onward(to: number): number;
  port_seed(state: number): number;
  port_statistics(level: number): number;
  port_region(region: number, offset: number, count: number, to: number): number;
  port_patch(patch: number, bytes: number, ticket: number): number;
  port_ram(split: number): number;
  /** Writes what the last failed call expected and got: two u32. */
  port_fault(numbers: number): void;
  /** Erases and programs of the flash so far. */
  port_flash_writes(): number;
}

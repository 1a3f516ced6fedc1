/** What each metric means, in a sentence: for docs/metrics.md, Prometheus' HELP, and whoever shows a number to people. */

export interface MetricWord {
  readonly name: string;
  readonly says: string;
}

export const METRIC_WORDS: readonly MetricWord[] = [
  {
    name: "busy_ratio",
    says: "share of the time it had work, 0 to 1; by engine, core or column where the driver tells them apart",
  },
  { name: "busy_seconds", says: "time it had work, counted up" },
  { name: "engine_seconds", says: "of a process: time of one engine spent on it, counted up" },
  { name: "engine_cycle_count", says: "of a process: cycles of one engine spent on it, counted up" },
  {
    name: "awake_seconds",
    says: "time it was powered, counted up; drivers that let it sleep after each job show their use by it",
  },
  { name: "awake_ratio", says: "share of the time it was powered" },
  { name: "idle_seconds", says: "time its engines slept, counted up" },
  { name: "engines_awake_ratio", says: "share of the time its engines did not sleep: more than they were busy" },
  { name: "governor_load_ratio", says: "load as the clock's governor sees it" },
  { name: "memory_busy_ratio", says: "share of the time its memory was accessed" },
  { name: "memory_bytes", says: "memory in use; by kind or region where there are several" },
  { name: "memory_read_bytes_per_second", says: "what is read from memory; by who reads where they are told apart" },
  { name: "memory_write_bytes_per_second", says: "what is written to memory; by who writes where they are told apart" },
  { name: "memory_total_bytes", says: "memory there is" },
  { name: "memory_available_bytes", says: "memory that new programs can have without swapping" },
  { name: "clock_hertz", says: "clock at the moment" },
  { name: "clock_max_hertz", says: "highest clock it may take" },
  { name: "clock_min_hertz", says: "lowest clock it may take" },
  { name: "clock_efficient_hertz", says: "clock at which it does most for its power" },
  { name: "clock_limit_hertz", says: "clock that somebody has set as the least or the most" },
  { name: "axi_clock_hertz", says: "clock of its bus" },
  { name: "arc_clock_hertz", says: "clock of its management processor" },
  { name: "power_watts", says: "power it draws; of a counter of energy: the mean since the sample before" },
  { name: "power_limit_watts", says: "power it is limited to" },
  { name: "power_max_watts", says: "power it should not exceed" },
  { name: "energy_joules", says: "energy it used, counted up" },
  { name: "voltage_volts", says: "voltage of a supply" },
  { name: "current_amperes", says: "current of a supply" },
  { name: "temperature_celsius", says: "temperature at the moment, by sensor" },
  { name: "temperature_max_celsius", says: "temperature at which it slows down" },
  { name: "temperature_limit_celsius", says: "temperature that is critical" },
  { name: "throttle_celsius", says: "temperature at which it slows down" },
  { name: "shutdown_celsius", says: "temperature at which it stops" },
  { name: "throttled_state", says: "1 while something holds its clock back, else 0; by what holds it, where told" },
  { name: "throttled_ratio", says: "share of the time something held its clock back, by what held it" },
  {
    name: "throttled_update_count",
    says: "updates of its firmware's table in which something held its clock back, counted up; by what held it",
  },
  { name: "throttle_count", says: "how often it was slowed down for heat, counted up" },
  { name: "throttles_per_second", says: "how often it was slowed down for heat, in a second" },
  { name: "thermal_trip_count", says: "how often it was stopped for heat, counted up" },
  { name: "fan_rpm", says: "speed of a fan in revolutions per minute" },
  { name: "fan_ratio", says: "speed of a fan as it is set, 0 to 1" },
  { name: "pcie_link_transfers_per_second", says: "speed of its PCIe link, per lane" },
  { name: "pcie_link_max_transfers_per_second", says: "highest speed of its PCIe link, per lane" },
  { name: "pcie_link_lanes", says: "lanes its PCIe link uses" },
  { name: "pcie_link_max_lanes", says: "lanes its PCIe link could use" },
  { name: "pcie_error_count", says: "errors on its PCIe link (AER): correctable, nonfatal, fatal; counted up" },
  { name: "pcie_replay_count", says: "packets its PCIe link sent again, counted up" },
  { name: "pcie_transmit_bytes_per_second", says: "what it sends over PCIe" },
  { name: "pcie_receive_bytes_per_second", says: "what it gets over PCIe" },
  { name: "pcie_transfer_bytes", says: "what went over PCIe, counted up; by kind of transfer" },
  { name: "pcie_transfer_bytes_per_second", says: "what goes over PCIe, by kind of transfer" },
  { name: "heartbeat_count", says: "signs of life of its firmware, counted up; standing still means that it hangs" },
  { name: "heartbeats_per_second", says: "signs of life of its firmware in a second" },
  { name: "reset_count", says: "how often it was reset, counted up" },
  { name: "engine_reset_count", says: "how often one of its engines was reset, counted up" },
  { name: "hard_reset_count", says: "how often the whole card was reset, counted up" },
  { name: "soft_reset_count", says: "how often its compute part was reset, counted up" },
  { name: "corrected_error_count", says: "errors it corrected, counted up" },
  { name: "uncorrected_error_count", says: "errors it could not correct, counted up" },
  { name: "uncorrected_nonfatal_error_count", says: "errors it could not correct and survived, counted up" },
  { name: "mapped_page_count", says: "pages of host memory that are mapped for it" },
  { name: "task_count", says: "tasks that run on it" },
  { name: "core_count", says: "cores it has" },
  { name: "load_tasks", says: "tasks that run or wait for the processor, a mean over 1, 5 and 15 minutes" },
  { name: "sram_bytes", says: "fast memory it has" },
];

const words = new Map(METRIC_WORDS.map(({ name, says }) => [name, says]));

/** The sentence; of a metric that nobody described, its name in words. */
export const metricSays = (name: string): string => words.get(name) ?? name.replaceAll("_", " ");

import type { Value } from '../database.ts';
import type { Random } from '../random.ts';
import { cities, streets } from '../words.ts';

/** The stored parts of an address; its compound is made of them. */
export function addressCells(random: Random, start: string): Record<string, Value> {
  const [city, state, postalCode, country, latitude, longitude] = random.pick(cities);
  const near = (degrees: number) => Math.round((degrees + random.int(-900, 900) / 10_000) * 1e6) / 1e6;
  const located = random.chance(60);
  return {
    [`${start}Street`]: `${random.pick(streets)} ${random.int(1, 240)}${random.chance(10) ? '\r\nBuilding B' : ''}`,
    [`${start}City`]: city,
    [`${start}State`]: state || null,
    [`${start}PostalCode`]: postalCode,
    [`${start}Country`]: country,
    [`${start}Latitude`]: located ? near(latitude) : null,
    [`${start}Longitude`]: located ? near(longitude) : null,
    [`${start}GeocodeAccuracy`]: located ? 'Address' : null,
  };
}

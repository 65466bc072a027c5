import type { Random } from './random.ts';

/** Words that the sample org speaks: names, places and sentences, with the letters that real orgs have. */
export const firstNames =
  `Ada Ahmed Aiko Alejandra Amara André Anneliese Beatriz Björn Caitlín Chidi Chloé Dagny Dmitri Edda Eszter Fatima Félix
  Giulia Gwen Hana Haruto Ingrid Isaac Jaime Jelena Joaquín José Kamala Kofi Lars Leïla Li Lucía Łukasz Mahmoud Maren Mei Mwangi
  Nadia Ngozi Noor Ólafur Olumide Otto Parvati Pilar Quentin Rania René Ruth Sándor Seán Siobhán Søren Tamsin Thiago Tove Uma
  Valérie Wanjiru Xavier Yara Yusuf Zoë Zsófia`.split(/\s+/);

export const lastNames =
  `Abernathy Achebe Álvarez Andersson Baumgartner Béranger Brankovic Castellanos Chukwu D'Angelo Dubois Eriksen Fernández
  Fitzgerald García Goldberg Grünwald Haddad Hernández Hoffmann Ibrahim Ivanova Jørgensen Kamau Kaplan Kowalczyk Lindqvist López
  MacLeod Magnusson Mbeki Müller Nakamura Nguyen Novák O'Brien O'Connor Okafor Ortiz Papadopoulos Peña Petrov Quispe Rasmussen
  Rodríguez Rossi Saarinen Schäfer Şahin Silva Smith Steiner Suzuki Takahashi Thorvaldsen Tremblay Ueda Vásquez Wałęsa
  Weiß Whitfield Xu Yamamoto Yılmaz Zhang Zimmermann`.split(/\s+/);

const companyStarts =
  `Alder Amber Arctic Aurora Basalt Beacon Birch Blue Bright Cedar Citadel Clear Cobalt Copper Coral Crescent Delta Ember Falcon
  Fern Flint Fjord Granite Harbour Helix Heron Horizon Indigo Iron Ivory Juniper Kestrel Larch Linden Lumen Maple Meridian Mistral
  Nimbus Nordic North Oak Obsidian Onyx Orchid Osprey Pacific Pine Polar Quartz Raven Redwood River Saffron Sierra Silver Solstice
  Summit Tidal Umber Velvet Vermilion Willow Zephyr`.split(/\s+/);
const companyEnds =
  `Analytics Bank Biotech Brewing Builders Cooperative Dental Dynamics Energy Engineering Farms Foods Freight Glass Health Holdings
  Hospital Hotels Insurance Labs Logistics Machinery Marine Media Metals Mobility Networks Optics Outfitters Packaging Paper Pharma
  Press Rail Robotics School Semiconductors Shipping Software Solar Studios Systems Textiles Timber Tools Toys Travel Utilities
  Ventures Water Wind Works`.split(/\s+/);
const companyForms = ['', '', '', ' AG', ' GmbH', ' Inc.', ' Ltd', ' LLC', ' S.A.', ' & Co. KG', ' A/S', ' Oy'];

export const cities: readonly (readonly [string, string, string, string, number, number])[] = [
  ['Zürich', 'ZH', '8001', 'Switzerland', 47.3769, 8.5417],
  ['Berlin', 'BE', '10115', 'Germany', 52.52, 13.405],
  ['San Francisco', 'CA', '94105', 'United States', 37.7749, -122.4194],
  ['São Paulo', 'SP', '01310-100', 'Brazil', -23.5505, -46.6333],
  ['Reykjavík', '', '101', 'Iceland', 64.1466, -21.9426],
  ['Tokyo', 'Tokyo', '100-0001', 'Japan', 35.6762, 139.6503],
  ['Nairobi', '', '00100', 'Kenya', -1.2921, 36.8219],
  ['Kraków', 'Małopolskie', '31-001', 'Poland', 50.0647, 19.945],
  ['Montréal', 'QC', 'H2Y 1C6', 'Canada', 45.5017, -73.5673],
  ['Wellington', '', '6011', 'New Zealand', -41.2865, 174.7762],
  ['Austin', 'TX', '78701', 'United States', 30.2672, -97.7431],
  ['Lagos', 'Lagos', '101241', 'Nigeria', 6.5244, 3.3792],
];

export const streets =
  `Bahnhofstrasse,Market Street,Hauptstraße,Rua Augusta,Laugavegur,Chiyoda 1-1,Kenyatta Avenue,Floriańska,Rue Saint-Paul,Lambton
  Quay,Congress Avenue,Broad Street,Mill Lane,Harbour Road,Old Kiln Way`
    .split(',')
    .map((street) => street.replace(/\s+/g, ' '));

const vocabulary =
  `account after again agreed already analysis annual answer approve arrive asked because before begin better between board
  budget building buyer call cancel careful change check clear client close colleague compare complete concern confirm contract
  copy cost create credit customer data date deadline decision delay deliver demand department detail device different discuss
  district document doubt draft early email engineer ensure escalate estimate evening every example expect explain export extend
  factory failure feedback field figure final finance follow forecast forward friday future general group growth handle happy help
  history however hundred import improve include increase inform inspect install invoice issue item january kitchen large launch
  later leader learn legal letter level licence limit list local machine main manager march market material measure meeting member
  message method minor missing model monday monthly morning motor move negative network never next notice number office often open
  option order organise original other outage owner package panel paper part partner payment perhaps period person phone pilot plan
  point policy positive postpone power prepare present pressure price primary problem process product project promise proof proposal
  provide public pump purchase quality quarter question quick quote reach ready reason receive recent record reduce refund region
  regular reject release remind remote renewal repair repeat replace report request require resolve response result return review
  risk route sample schedule season second secure select sensor serial service session settle several shared shipment short signal
  similar simple single site small software solution source special specific staff stage standard start status stock storage street
  strong submit subscription success suggest summary summer supplier support system target team technical template tender terms test
  thanks their third thursday ticket today together tomorrow total training transfer travel tuesday under unit until update upgrade
  urgent user usual value vendor verify version visit volume waiting warehouse warning warranty water wednesday weekly weight welcome
  winter within without worker workshop writing yesterday`.split(/\s+/);

export function companyName(random: Random): string {
  return `${random.pick(companyStarts)} ${random.pick(companyEnds)}${random.pick(companyForms)}`;
}

/** So many words, capital letter first and full stop last. */
export function sentence(random: Random, words: number): string {
  let text = '';
  for (let i = 0; i < words; i++) {
    // Squaring leans towards the start of the list, as frequent words do in real text.
    const at = Math.floor((random.next() / 4294967296) ** 1.6 * vocabulary.length);
    text += (i === 0 ? '' : ' ') + vocabulary[at];
  }
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Sentences up to about `characters`; now and then a new paragraph. */
export function prose(random: Random, characters: number): string {
  let text = '';
  while (text.length < characters) {
    text += (text === '' ? '' : random.chance(12) ? '\n\n' : ' ') + sentence(random, random.int(4, 14));
  }
  return text;
}

/** `Ada`, `Łukasz` -> letters that an e-mail address takes. */
export function plainLetters(text: string): string {
  return text
    .replace(/[łŁ]/g, 'l')
    .replace(/[øØ]/g, 'o')
    .replace(/ß/g, 'ss')
    .replace(/ı/g, 'i')
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();
}

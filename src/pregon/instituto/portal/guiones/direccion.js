// The address of a sección (#118, #gub/118, #pres/09-0118).
const PLACE = /^(?:([a-z]+)\/)?(?:(\d{1,2})-)?(\d{1,4})$/;

export function fragment() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash;
  }
}

// Its contest (all of them without one), entidad and sección; null where the text is no address of a sección.
export function parse(text) {
  const parts = PLACE.exec(text);
  return parts && { contest: parts[1], entity: parts[2], number: Number(parts[3]) };
}

export const short = (place) => (place.entity ? `${place.entity}-${String(place.number).padStart(4, "0")}` : `${place.number}`);

/** The text that stands in every vault: how to read it with no salvor. FORMAT.md explains why each step holds. */
export function readmeText(facts: { vault: string; rootFingerprint: string }): string {
  return `This is a salvor vault: recovery points of a Salesforce org, as encrypted CSV.

vault             ${facts.vault}
root fingerprint  ${facts.rootFingerprint}   (compare with the one on your recovery kit)

You can read it without salvor. You need age, zstd, ssh-keygen, sha256sum and tar, a copy of this
folder or bucket, and one recovery identity: the line AGE-SECRET-KEY-1... of the recovery kit, in a
file (here: recovery.key). Work in this folder; W is any folder outside it.

1. Open the keys that the data is encrypted to: one of each epoch, all in one file. A wrap may be for another identity.

      W=$(mktemp -d)
      for wrap in keys/e*/r*.age; do age -d -i recovery.key "$wrap" >> "$W/epoch.key" 2> "$W/refused" || true; done
      grep -q AGE-SECRET-KEY "$W/epoch.key"

2. Check who signed. The files of trust/ name the public keys: the first one names the root key, which signs them
   all; those behind it name keys that were added, and keys that were stolen. A file that is not good counts for nothing.

      head -n 1 trust/0001 | grep -o '"role":"root","key":"[^"]*"' | cut -d'"' -f8 > "$W/root.pub"
      ssh-keygen -lf "$W/root.pub"
      sed 's/^/root namespaces="salvor-vault-v1" /' "$W/root.pub" > "$W/root.signers"
      for trust in trust/*; do
        head -n 1 "$trust" > "$W/trust.json"
        tail -n +2 "$trust" > "$W/trust.sig"
        if ssh-keygen -Y verify -f "$W/root.signers" -I root -n salvor-vault-v1 -s "$W/trust.sig" < "$W/trust.json"
        then cat "$W/trust.json" >> "$W/trusted"
        else false
        fi
      done

3. Check the log. Each numbered file in log/ is one line of JSON and the signature over it. A line with
   "kind":"point" seals a recovery point; "prev" is the SHA-256 of the whole newest record
   before it that held when it was written, "writer" the key that signs.

      grep -o '"id":"[^"]*","role":"[apw][a-z]*","key":"[^"]*"' "$W/trusted" | cut -d'"' -f4,12 | tr '"' ' ' > "$W/signers"
      for record in log/*; do
        head -n 1 "$record" > "$W/record.json"
        tail -n +2 "$record" > "$W/record.sig"
        WRITER=$(grep -o '"writer":"[^"]*"' "$W/record.json" | cut -d'"' -f4)
        ssh-keygen -Y verify -f "$W/signers" -I "$WRITER" -n salvor-log-v1 -s "$W/record.sig" < "$W/record.json"
      done
      grep -o '"id":"[^"]*","since":"[^"]*","from":[0-9]*,"to":[0-9]*' "$W/trusted" || true

   The last command lists the keys that were stolen. Of such a key, every record with a number above "to" is void,
   though its signature is good. Those from number "from" on may be forged, and so may what was built on them: records
   with "kind":"quarantine" name these points. Of several lines with one id the lowest numbers count.

4. Check the bytes of a point (take its name from the record; here it is the newest one, which step 3 may tell you to
   pass over): the list, then what the list names, then what each page needs.

      POINT=$(grep -h -o '"point":"[^"]*"' log/* | tail -n 1 | cut -d'"' -f4)
      sha256sum "points/$POINT/refs.zst"
      zstd -dc "points/$POINT/refs.zst" | sha256sum -c --quiet -
      for refs in $(zstd -dc "points/$POINT/refs.zst" | grep -o 'pages/.*\\.refs\\.zst$' | sort -u); do zstd -dc "$refs"; done | sort -u | sha256sum -c --quiet -

   The first digest is the "refs" of the point's record.

5. Read. The root is a table of contents; a page lists the segments of one object; a segment is CSV.

      age -d -i "$W/epoch.key" "points/$POINT/root.json.zst.age" | zstd -d > "$W/root.json"
      PAGE=$(tr '{' '\\n' < "$W/root.json" | grep -A1 '"object":"Account"' | grep -o 'pages/[0-9a-f]*\\.map\\.zst\\.age' | head -n 1)
      age -d -i "$W/epoch.key" "$PAGE" | zstd -d > "$W/account.json"
      for segment in $(grep -o 'data/[^"]*\\.csv\\.zst\\.age' "$W/account.json"); do age -d -i "$W/epoch.key" "$segment" | zstd -d; done > "$W/account.csv"

   Each segment begins with its header line and is sorted by Id. Where a page lists "deltas", the newest row of
   an Id (the last one in the order of the page) is the one that holds, less the Ids listed under "gone".

6. Files. The pages *.files.zst.age say where the bytes of each attachment, document and file are:

      for page in $(grep -o 'pages/[0-9a-f]*\\.files\\.zst\\.age' "$W/root.json"); do age -d -i "$W/epoch.key" "$page" | zstd -d; done > "$W/files.csv"

   A row that names files/...tar.age: age -d that object, then take the entry with tar. A row that names
   several parts: cat the parts in order, then age -d the whole.

What no signature covers: this file and runs/ (journals of runs). Nothing that is restored is read from them.
`;
}

-- The words of the other files that engines spell differently, for DuckDB. Another engine brings the same words.
create macro parte(lista, n) as lista[n];
create macro trozos(texto, separador) as string_split(texto, separador);
create macro cuantos(lista) as len(lista);
create macro datos_json(texto, rutas) as json_extract_string(case when json_valid(texto) then texto end, rutas);
create macro periodo(momento, segundos) as momento // segundos;
create macro huella(texto) as cast(
    '0x' || substr(sha256(getvariable('clave_externa') || sha256(getvariable('clave_interna') || texto)), 1, 15) as bigint
);
-- Whether a line has the place, status and size of a hit.
create macro sana(direccion, estado, bytes) as (
    direccion <> ''
    and regexp_full_match(estado, '[0-9]{1,3}')
    and (bytes in ('', '-') or regexp_full_match(bytes, '[0-9]{1,17}'))
);
-- An instant in seconds UTC from the ways in which logs write it: 07/Jun/2021:01:00:00 -0500, ISO 8601 (without an
-- offset it is UTC), or seconds, milliseconds, microseconds or nanoseconds since 1970.
create macro momento_de(texto) as cast(floor(case
    when texto like '__/___/____:%' then epoch(try_strptime(texto, '%d/%b/%Y:%H:%M:%S %z'))
    when texto like '____-__-__%' and regexp_matches(texto, '(Z|[+-][0-9]{2}:?[0-9]{2})$')
        then epoch(try_cast(texto as timestamptz))
    when texto like '____-__-__%' then epoch(try_cast(texto as timestamp))
    when regexp_full_match(texto, '[0-9]{9,19}([.][0-9]+)?')
        then cast(texto as double) / case
            when cast(texto as double) >= 1e17 then 1e9
            when cast(texto as double) >= 1e14 then 1e6
            when cast(texto as double) >= 1e11 then 1e3
            else 1
        end
end) as bigint);

-- Each acta as the text of its JSON object without its braces and its id (instituto/secciones.py), in the order of the file, and what
-- else is asked of it: clave is '' outside the catalogue, and where there is no CLAVE_ACTA the key of the casilla after
-- a mark; sha is '' unless it counts among the images; hoja is the file of secciones that holds it (secciones.shard_of).
select
    case
        when estado = 'fuera_catalogo' then ''
        when clave_acta <> '' then clave_acta
        else concat(chr(31), clave_casilla)
    end as clave,
    concat(
        case when entidad_acta = '' then '' else concat(entidad_acta, '-') end,
        case
            when regexp_full_match(seccion, '[0-9]{1,9}')
                then printf('%04d', try_cast(seccion as bigint) // parametros.por_hoja * parametros.por_hoja)
            else 'otras'
        end
    ) as hoja,
    unidad,
    case when estado in ('contabilizada', 'no_contabilizada') then sha else '' end as sha,
    concat(
        '"clave":', to_json(clave_casilla),
        ',"clave_acta":', to_json(clave_acta),
        ',"$nivel":', coalesce(to_json(nullif(unidad, '')), 'null'),
        ',"seccion":', coalesce(to_json(nullif(seccion, '')), 'null'),
        ',"tipo":', coalesce(to_json(nullif(tipo_casilla, '')), 'null'),
        ',"id_casilla":', coalesce(to_json(nullif(id_casilla, '')), 'null'),
        ',"ext_contigua":', coalesce(to_json(nullif(ext_contigua, '')), 'null'),
        ',"estado":"', estado,
        '","contabilizada":', coalesce(to_json(nullif(contabilizada, '')), 'null'),
        ',"total_votos":', coalesce(cast(calculado as varchar), 'null'),
        ',"lista_nominal":', coalesce(cast(lista_nominal as varchar), 'null'),
        ',"observaciones":', coalesce(to_json(nullif(observaciones, '')), 'null'),
        ',"sha":', coalesce(to_json(nullif(sha, '')), 'null'),
        ',"votos":[', concat_ws(','
            , j_$voto
        ), ']'
    ) as json
from actas cross join parametros
where signo = 1
order by lugar

-- Rows as read (view crudo: texts as written) -> what sums and findings need of each (table renglones), in the order of
-- the file. A cell is a number here only if its text is the number and nothing else, or the number and ".0" (Puebla
-- 2024); the other texts of a row with figures are in otros, for prep to read. sha_h, clave_h: the same for equal keys,
-- however wrapped; null where there is none. clave_vacia: the key of the casilla where it may be none, else '0'.
-- revisar: every row that shows a fault of its own (prep.revisa.faults decides), and few more. Lists are short on
-- purpose: the engine makes a join of a long one.
create table renglones as
with contados as (
    select
        *,
        contabilizada not in ('', '-', '2') as con_cifras,
        sha in ('', '-', '--') or sha in ('N/A', 'n/a') as sin_sha,
        regexp_full_match(sha, '[0-9a-f]{64}') as es_sha
    from crudo
),

probados as (
    select
        case when con_cifras and strlen($celda) < 8 and $celda >= '0' then try_cast($celda as integer) end as t_$celda,
        *
    from contados
),

leidos as (
    select
        case when $celda in (cast(t_$celda as varchar), cast(t_$celda as varchar) || '.0') then t_$celda end as n_$celda,
        *
    from probados
),

sumados as (
    select
        *,
        0
            + n_$celda
        is null and con_cifras as con_otros,
        0
            + coalesce(n_$voto, 0)
        as suma
    from leidos
)

select
    entidad_id,
    unidad_id,
    tipo,
    contabilizada,
    observaciones,
    case
        when ascii(clave_casilla) between 48 and 57 then '0'
        when trim(clave_casilla, getvariable('envoltura')) in ('', '-', '--') then clave_casilla
        when trim(clave_casilla, getvariable('envoltura')) in ('N/A', 'n/a') then clave_casilla
        else '0'
    end as clave_vacia,
    case
        when ascii(clave_acta) between 48 and 122 and ascii(right(clave_acta, 1)) between 48 and 122 then hash(clave_acta)
        when clave_acta <> '' and clave_acta <> '-' then hash(trim(clave_acta, getvariable('envoltura')))
    end as clave_h,
    case
        when es_sha then hash(sha)
        when not sin_sha then hash(trim(sha, getvariable('envoltura')))
    end as sha_h,
    case
        when con_otros then concat_ws(chr(31)
            , case when n_$celda is null then replace($celda, chr(31), ' ') end
        )
    end as otros,
    suma,
    n_$celda,
    case
        when not con_cifras then false
        when n_calculado is null and suma > 0 or n_calculado <> suma then true
        when n_lista_nominal > 0 and suma - n_lista_nominal > coalesce(n_representantes, 0) then true
        when not (es_sha or sin_sha) then true
        -- The hour of one day grows as its text does; a text between two that begin alike begins as they do.
        when
            acopio <= captura and captura <= verificacion
            and substr(acopio, 1, 10) = substr(verificacion, 1, 10)
            and regexp_full_match(acopio, '([0-9]{2}/[0-9]{2}/[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}) [0-9]{2}:.*')
            and substr(captura, 14, 1) = ':' and substr(verificacion, 14, 1) = ':'
            then false
        when
            (acopio in ('', '-', '--') or acopio in ('N/A', 'n/a'))
            and (captura in ('', '-', '--') or captura in ('N/A', 'n/a'))
            and (verificacion in ('', '-', '--') or verificacion in ('N/A', 'n/a'))
            then false
        else true
    end as revisar
from sumados

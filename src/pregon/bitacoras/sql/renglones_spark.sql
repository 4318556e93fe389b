-- Lines as Spark reads them -> clean ones, as lectura.py leaves them: none longer than 64 KiB, no control characters
-- that mean something to a reader, no bytes that are not UTF-8, no empty ones. Valid first: any other word would make
-- Java's own of them, which has one mark where everybody else has three.
select linea
from (
    select replace(replace(replace(
        regexp_replace(make_valid_utf8(value), '\\r\\z', ''), chr(13), ' '
    ), chr(30) || chr(31) || chr(30), '   '), chr(1) || chr(2) || chr(1), '   ') as linea
    from leidos
    where octet_length(value) < 65536
) as limpios
where linea <> ''

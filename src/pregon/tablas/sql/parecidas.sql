-- Rows whose CLAVE_ACTA or image may be that of another one, in the order of the file.
select rowid from renglones
where
    clave_h in (select clave_h from renglones where clave_h is not null group by clave_h having count(*) > 1)
    or sha_h in (select sha_h from renglones where sha_h is not null group by sha_h having count(*) > 1)
order by rowid

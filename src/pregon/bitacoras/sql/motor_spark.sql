-- The words of the other files that engines spell differently, for Spark (motor_duckdb.sql has DuckDB's).
create or replace temporary function parte(lista array<string>, n int) returns string return try_element_at(lista, n);
create or replace temporary function trozos(texto string, separador string) returns array<string>
    return split(texto, concat('[', separador, ']'), -1);
create or replace temporary function cuantos(lista array<string>) returns int return size(lista);
create or replace temporary function periodo(momento bigint, segundos bigint) returns bigint
    return momento div segundos;
create or replace temporary function huella(texto string) returns bigint return cast(conv(
    substr(sha2(concat(clave_externa, sha2(concat(clave_interna, texto), 256)), 256), 1, 15), 16, 10
) as bigint);
create or replace temporary function sana(direccion string, estado string, bytes string) returns boolean return
    direccion <> ''
    and regexp_like(estado, '^[0-9]{1,3}\\z')
    and (bytes in ('', '-') or regexp_like(bytes, '^[0-9]{1,17}\\z'));
create or replace temporary function segundos_de(cifras string) returns bigint return cast(floor(
    cast(cifras as double) / case
        when cast(cifras as double) >= 1e17 then 1e9
        when cast(cifras as double) >= 1e14 then 1e6
        when cast(cifras as double) >= 1e11 then 1e3
        else 1
    end
) as bigint);
create or replace temporary function momento_de(texto string) returns bigint return case
    when texto like '__/___/____:%' and regexp_like(substr(texto, 21), '^ [+-][0-9]{4}\\z')
        then unix_seconds(try_to_timestamp(
            concat(substr(texto, 1, 3), initcap(substr(texto, 4, 3)), substr(texto, 7, 14)), 'dd/MMM/yyyy:HH:mm:ss'
        )) - cast(concat(substr(texto, 22, 1), '1') as bigint)
            * (cast(substr(texto, 23, 2) as bigint) * 3600 + cast(substr(texto, 25, 2) as bigint) * 60)
    when texto like '____-__-__%' then unix_seconds(try_cast(texto as timestamp))
    when regexp_like(texto, '^[0-9]{9,19}([.][0-9]+)?\\z') then segundos_de(texto)
end;

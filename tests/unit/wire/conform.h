/* Does a JSON object conform to the interface? sd-varlink only logs it when a reply does not. Every key must
 * be a declared field of that direction and type, every field that is not nullable must be there. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wire/interface.h"

static bool conform_object(sd_json_variant *v, const sd_varlink_symbol *symbol,
                           sd_varlink_field_direction_t direction);

static bool conform_value(sd_json_variant *v, const sd_varlink_field *field)
{
    switch (field->field_type) {
    case SD_VARLINK_NAMED_TYPE:
        return conform_object(v, field->symbol, SD_VARLINK_REGULAR);
    case SD_VARLINK_BOOL:
        return sd_json_variant_is_boolean(v);
    case SD_VARLINK_INT:
        return sd_json_variant_is_integer(v) || sd_json_variant_is_unsigned(v);
    case SD_VARLINK_STRING:
        return sd_json_variant_is_string(v);
    default:
        return false;
    }
}

static bool conform_field(sd_json_variant *v, const sd_varlink_field *field)
{
    if (field->field_flags & SD_VARLINK_MAP) {
        if (!sd_json_variant_is_object(v))
            return false;
        for (size_t i = 1; i < sd_json_variant_elements(v); i += 2) /* names stand between */
            if (!conform_value(sd_json_variant_by_index(v, i), field))
                return false;
        return true;
    }
    if (!(field->field_flags & SD_VARLINK_ARRAY))
        return conform_value(v, field);
    if (!sd_json_variant_is_array(v))
        return false;
    for (size_t i = 0; i < sd_json_variant_elements(v); i++)
        if (!conform_value(sd_json_variant_by_index(v, i), field))
            return false;
    return true;
}

static bool conform_object(sd_json_variant *v, const sd_varlink_symbol *symbol,
                           sd_varlink_field_direction_t direction)
{
    size_t known = 0;

    if (v && !sd_json_variant_is_object(v))
        return false;
    for (const sd_varlink_field *field = symbol->fields;
         field->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER; field++) {
        sd_json_variant *value;

        if (field->field_type == _SD_VARLINK_FIELD_COMMENT || field->field_direction != direction)
            continue;
        value = sd_json_variant_by_key(v, field->name);
        known += value != NULL;
        if (value ? !conform_field(value, field) : !(field->field_flags & SD_VARLINK_NULLABLE)) {
            fprintf(stderr, "%s.%s: %s\n", symbol->name, field->name, value ? "wrong type" : "missing");
            return false;
        }
    }
    if (known != sd_json_variant_elements(v) / 2)
        fprintf(stderr, "%s: a field that is not declared\n", symbol->name);
    return known == sd_json_variant_elements(v) / 2;
}

static inline const sd_varlink_symbol *conform_symbol(const char *name)
{
    for (size_t i = 0; vl_interface_io_guardd_Guard.symbols[i]; i++) {
        const sd_varlink_symbol *symbol = vl_interface_io_guardd_Guard.symbols[i];

        if ((symbol->symbol_type == SD_VARLINK_STRUCT_TYPE || symbol->symbol_type == SD_VARLINK_METHOD ||
             symbol->symbol_type == SD_VARLINK_ERROR) &&
            strcmp(symbol->name, name) == 0)
            return symbol;
    }
    return NULL;
}

/* See agenda.h. */
#include "agenda.h"

#include "model/tenant.h"

void agenda_put(struct Tenant *tenant)
{
    if (!tenant->agenda || tenant->on_agenda)
        return;
    DL_APPEND2(tenant->agenda->first, tenant, before, after);
    tenant->on_agenda = true;
}

void agenda_remove(struct Tenant *tenant)
{
    if (!tenant->on_agenda)
        return;
    DL_DELETE2(tenant->agenda->first, tenant, before, after);
    tenant->on_agenda = false;
}

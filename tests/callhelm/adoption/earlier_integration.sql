-- The tables as an earlier integration of Call-Helm leaves them (PostgreSQL, beside the host's).
CREATE TABLE three_cx_integrations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL UNIQUE REFERENCES organizations (id) ON DELETE CASCADE,
    enabled boolean DEFAULT true,
    crm_url text NOT NULL,
    api_key text NOT NULL UNIQUE,
    three_cx_server_url text,
    settings jsonb DEFAULT '{"call_journaling_enabled": true, "contact_creation_enabled": true}',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);
CREATE TABLE three_cx_agent_mappings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    three_cx_extension varchar(20) NOT NULL,
    agent_id uuid REFERENCES organization_members (id) ON DELETE CASCADE,
    agent_email text,
    agent_first_name text,
    agent_last_name text,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    UNIQUE (organization_id, three_cx_extension)
);
CREATE TABLE three_cx_call_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    call_id uuid REFERENCES calls (id) ON DELETE SET NULL,
    event_type text NOT NULL
        CHECK (event_type IN ('lookup', 'journal', 'create_contact', 'search')),
    phone_number text,
    contact_id uuid REFERENCES contacts (id) ON DELETE SET NULL,
    agent_extension varchar(20),
    call_direction text CHECK (call_direction IN ('Inbound', 'Outbound')),
    call_type text CHECK (call_type IN ('Inbound', 'Outbound', 'Missed', 'Notanswered')),
    duration_seconds integer,
    call_start_time timestamptz,
    call_end_time timestamptz,
    raw_data jsonb,
    created_at timestamptz DEFAULT now()
);
CREATE INDEX idx_three_cx_call_events_org ON three_cx_call_events (organization_id);
CREATE INDEX idx_three_cx_integrations_api_key ON three_cx_integrations (api_key);

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON three_cx_integrations
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE three_cx_integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE three_cx_agent_mappings ENABLE ROW LEVEL SECURITY;
ALTER TABLE three_cx_call_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_see ON three_cx_integrations FOR SELECT
    USING (organization_id::text = current_setting('app.organization', true));
CREATE POLICY members_see ON three_cx_agent_mappings FOR SELECT
    USING (organization_id::text = current_setting('app.organization', true));
CREATE POLICY members_see ON three_cx_call_events FOR SELECT
    USING (organization_id::text = current_setting('app.organization', true));

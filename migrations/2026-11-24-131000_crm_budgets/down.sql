DROP TABLE crm_purses;
DROP TABLE crm_budgets;
